int CONNXSchema_placeholder(void);
