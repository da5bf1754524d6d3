# Written by gofleet; change the program that declares it, not this file.

mode = "redirect"
downloadURL = "https://proxy.corp.example"

download "git.corp.example/*" {
  mode = "sync"
}

download "github.com/acme/*" {
  mode = "async_redirect"
  downloadURL = "https://other.corp.example/go"
}

download "*.example" {
  mode = "none"
}
