module kappa.dev/bench

go 1.24

require kappa.dev/agent v0.0.0

replace kappa.dev/agent => ../../runtime-images/agent
