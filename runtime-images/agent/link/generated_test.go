package link

import "testing"

func TestAFullFrameFitsTheLimit(t *testing.T) {
	if ChunkBytes+fixedBytes+lengthBytes > MaxFrameBytes {
		t.Fatal("a chunk does not fit into a frame with room for its head")
	}
	for code, name := range FrameNames {
		if code == 0 || name == "" {
			t.Errorf("%#x %q", code, name)
		}
	}
}
