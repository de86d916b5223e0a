package command

// external returns the external command that args name, nil if there is none, and the index of
// its name.
func (c *Command) external(args []string) (*Command, int) {
	i := c.firstWord(args)
	if i < 0 || c.Beside == nil || c.child(args[i]) != nil {
		return nil, i
	}
	return c.beside(args[i]), i
}

// beside is the external command with that name, or nil.
func (c *Command) beside(name string) *Command {
	if c.Beside != nil && name != "" {
		for _, cmd := range c.Beside(name) {
			cmd.parent = c
			return cmd
		}
	}
	return nil
}

// addExternal adds the external commands to a root, for lists and suggestions. None of
// them hides a command of the root's own.
func (c *Command) addExternal() {
	if c.Beside == nil {
		return
	}
	for _, cmd := range c.Beside("") {
		if c.child(cmd.Name()) == nil {
			c.AddCommand(cmd)
		}
	}
	c.Beside = nil // once is enough
}
