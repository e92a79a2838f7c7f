package claim

import "kappa.dev/agent/limits"

// fences are the lowest epochs that functions still take, by function. Bounded: the lowest one is forgotten first, but never
// the one that has just been promised.
type fences struct{ lowest map[string]uint64 }

func (f *fences) of(function string) uint64 { return f.lowest[function] }

func (f *fences) raise(function string, epoch uint64) bool {
	present, known := f.lowest[function]
	if known && epoch < present {
		return false
	}
	if f.lowest == nil {
		f.lowest = map[string]uint64{}
	}
	if !known && len(f.lowest) >= limits.Fences {
		f.forget()
	}
	f.lowest[function] = epoch
	return true
}

func (f *fences) forget() {
	var oldest string
	first := true
	for function, epoch := range f.lowest {
		if first || epoch < f.lowest[oldest] {
			oldest, first = function, false
		}
	}
	delete(f.lowest, oldest)
}
