module gofleet/store

go 1.24
