"""Label files, lists, tables and scores: what lies in a data set and how it is read and written."""
