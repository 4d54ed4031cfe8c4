module modelyard.dev/bench/gateway/reverse

go 1.26.0
