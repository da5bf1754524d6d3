module gofleet/sandbox

go 1.24
