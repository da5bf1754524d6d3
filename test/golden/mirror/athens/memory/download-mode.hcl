# Written by gofleet; change the program that declares it, not this file.

mode = "none"
downloadURL = ""

download "github.com/acme/*" {
  mode = "sync"
}

download "golang.org/x/*" {
  mode = "sync"
}
