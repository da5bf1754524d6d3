# Written by gofleet; change the program that declares it, not this file.

mode = "sync"
downloadURL = ""
