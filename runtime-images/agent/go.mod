module kappa.dev/agent

go 1.24
