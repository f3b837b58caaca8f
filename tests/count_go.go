// Command count_go counts the go statements of the files that standard input names, one a line. It prints the count
// and the path of each, in their order; -1 for one that go/parser has something against.
package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"runtime"
	"sync"
)

func main() {
	var paths []string
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		paths = append(paths, lines.Text())
	}
	counts := make([]int, len(paths))
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				counts[i] = count(paths[i])
			}
		}()
	}
	for i := range paths {
		next <- i
	}
	close(next)
	wg.Wait()
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for i, path := range paths {
		fmt.Fprintln(out, counts[i], path)
	}
}

func count(path string) int {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return -1
	}
	found := 0
	ast.Inspect(file, func(node ast.Node) bool {
		if _, is := node.(*ast.GoStmt); is {
			found++
		}
		return true
	})
	return found
}
