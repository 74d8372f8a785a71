"""What is learnt beside something: crops by their first label or a picture of no class, pictures by their caption."""
