module model

go 1.21
