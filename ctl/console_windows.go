package ctl

import "golang.org/x/sys/windows"

// consoleReadsUTF8 reports whether programs here read pipes as UTF-8, according to the
// console's code page.
func consoleReadsUTF8() bool {
	const utf8Page = 65001
	page, err := windows.GetConsoleOutputCP()
	return err == nil && page == utf8Page
}
