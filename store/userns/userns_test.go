package userns

import "testing"

func TestIDMap(t *testing.T) {
	const none = 1<<32 - 1
	for _, tt := range []struct {
		name, text string
		overflow   uint32
		known      []uint32
		unknown    []uint32
	}{
		{"TheFirstNamespace", "         0          0 4294967295\n", 65534, []uint32{0, 1000, 65534, none - 1}, []uint32{none}},
		{"AllInTwoParts", "0 1 1\n1 2 4294967294\n", 65534, []uint32{0, 65534}, []uint32{none}},
		{"OneUser", "1000 1000 1\n", 65534, []uint32{0, 1000}, []uint32{65534, none}},
		{"RootlessContainer", "0 1000 1\n1 100000 65536\n", 65534, []uint32{0, 1, 65533, 65535}, []uint32{65534}},
		{"NobodyIsMapped", "65534 1000 1\n", 65534, []uint32{0}, []uint32{65534}},
		{"AllButOne", "0 0 65534\n65534 65535 4294901760\n", 65534, []uint32{0}, []uint32{65534}},
		{"NotMappedYet", "", 65534, []uint32{0}, []uint32{65534}},
		{"AnotherOverflow", "0 1000 1\n", 99, []uint32{0, 65534}, []uint32{99}},
		{"RootIsTheOverflow", "0 1000 1\n", 0, []uint32{1, 65534}, []uint32{0}},
		{"Unreadable", "all of them\n", 65534, []uint32{0}, []uint32{65534}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(tt.text, tt.overflow)
			for _, id := range tt.known {
				if !m.known(id) {
					t.Errorf("%d is not known", id)
				}
			}
			for _, id := range tt.unknown {
				if m.known(id) {
					t.Errorf("%d is known", id)
				}
			}
		})
	}
}
