package testextension

// prepare is what an extension does between its registration and its first event.
func (x *extension) prepare() {}
