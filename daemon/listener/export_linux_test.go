package listener

// ReadReply is readReply, for answers that no socket of a test gives.
var ReadReply = readReply
