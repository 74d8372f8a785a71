"""Networks and their parts that several stages share; nothing here knows a stage."""
