module gofleet.example/hello

go 1.26
