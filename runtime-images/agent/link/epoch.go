package link

import "sync"

// Epochs remembers the highest owner epoch that any gateway has proved. It only rises.
type Epochs struct {
	mu      sync.Mutex
	highest uint64
}

// See raises the highest epoch.
func (e *Epochs) See(epoch uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.highest = max(e.highest, epoch)
}

// Check refuses work of an owner that has been replaced.
func (e *Epochs) Check(epoch uint64) *Refusal {
	e.mu.Lock()
	defer e.mu.Unlock()
	if epoch < e.highest {
		return Refuse(StaleEpoch, "a higher owner epoch has been seen")
	}
	return nil
}
