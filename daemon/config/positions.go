package config

import (
	"bytes"
	"strconv"

	"github.com/pelletier/go-toml/v2/unstable"
)

// A node is the position of a table, setting or element. A nil node is not in the file.
type node struct {
	key, value span // of an element both are the element, of a table both are its header
	children   map[string]*node
	tables     int // how many elements an array of tables has so far
	depth      int
}

// maxDepth is the depth of the deepest setting. Deeper nesting is a mistake, and the position of
// its ancestor shows it well enough.
const maxDepth = 8

func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	return n.children[name]
}

func (n *node) element(i int) *node { return n.child(strconv.Itoa(i)) }

// open returns the child of that name. The first position stays if a table is opened twice.
func (n *node) open(name string, key, value span) *node {
	if n.depth == maxDepth {
		return n
	}
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c := n.children[name]
	if c == nil {
		c = &node{key: key, value: value, depth: n.depth + 1}
		n.children[name] = c
	}
	return c
}

func (n *node) openElement(i int, at span) *node { return n.open(strconv.Itoa(i), at, at) }

// locate fills in the nodes. The document is valid TOML by now.
func (d *document) locate() {
	var p unstable.Parser
	p.Reset(d.data)
	table := d.root
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table:
			table = d.header(e, false)
		case unstable.ArrayTable:
			table = d.header(e, true)
		case unstable.KeyValue:
			d.keyValue(table, e)
		}
	}
}

// header opens [a.b] or [[a.b]].
func (d *document) header(e *unstable.Node, array bool) *node {
	n := d.root
	for keys := e.Key(); keys.Next(); {
		at := spanOf(keys.Node().Raw)
		n = n.open(string(keys.Node().Data), at, at)
		if array && keys.IsLast() {
			n.tables++
		}
		if n.tables > 0 {
			n = n.openElement(n.tables-1, at)
		}
	}
	return n
}

// keyValue opens a.b = value below n, and what is inside the value.
func (d *document) keyValue(n *node, e *unstable.Node) {
	whole := spanOf(e.Raw)
	for keys := e.Key(); keys.Next(); {
		key := spanOf(keys.Node().Raw)
		value := key
		if keys.IsLast() {
			value = d.valueSpan(key, whole)
		}
		n = n.open(string(keys.Node().Data), key, value)
	}
	d.inside(n, e.Value())
}

func (d *document) inside(n *node, value *unstable.Node) {
	children := value.Children()
	switch value.Kind {
	case unstable.InlineTable:
		for children.Next() {
			d.keyValue(n, children.Node())
		}
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			at := n.value // an array inside an array has no position
			if raw := children.Node().Raw; raw.Length > 0 {
				at = spanOf(raw)
			}
			d.inside(n.openElement(i, at), children.Node())
		}
	}
}

// valueSpan is what follows the key and = in the expression.
func (d *document) valueSpan(key, whole span) span {
	value := bytes.TrimLeft(d.data[key.end:whole.end], " \t=")
	return span{whole.end - len(value), whole.end}
}

func spanOf(r unstable.Range) span {
	return span{int(r.Offset), int(r.Offset + r.Length)}
}
