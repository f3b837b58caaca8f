module mruntime

go 1.21
