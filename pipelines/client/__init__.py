"""The relocatable job client: how the folder that jobs run in images without Python is made. Not part of it."""
