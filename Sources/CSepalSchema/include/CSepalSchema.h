int CSepalSchema_placeholder(void);
