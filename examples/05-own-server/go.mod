module modelyard.example/scorer

go 1.19
