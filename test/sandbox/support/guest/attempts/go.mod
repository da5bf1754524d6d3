module gofleet/attempts

go 1.24
