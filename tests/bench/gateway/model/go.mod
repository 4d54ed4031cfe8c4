module modelyard.dev/bench/gateway/model

go 1.26.0
