"""What a host must know to drive a captioner: signature, vocabulary, decoding rule. Types only."""
