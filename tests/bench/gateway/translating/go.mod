module modelyard.dev/bench/gateway/translating

go 1.26.0
