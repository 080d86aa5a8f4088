int CSepalKernels_placeholder(void);
