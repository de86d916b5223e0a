package ctl

import "golang.org/x/sys/windows"

// consoleReadsUTF8 reports whether programs that read from pipes here take them for
// UTF-8, as the console's code page says.
func consoleReadsUTF8() bool {
	const utf8Page = 65001
	page, err := windows.GetConsoleOutputCP()
	return err == nil && page == utf8Page
}
