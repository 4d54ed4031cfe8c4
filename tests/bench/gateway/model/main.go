// A model that costs as little as a model can: it speaks the contract (docs/contract.md) and predicts for each row the
// first number of the row's first column, copied as it was written. One thread over epoll, since in the bench it shares
// a core with the program that makes the load, and must bound none of the proxies.
//
// It trusts who asks it: requests have a Content-Length, and their first column holds numbers, or lists of numbers.
package main

import (
	"bytes"
	"flag"
	"log"
	"strconv"
	"syscall"
)

const (
	path   = "/model/predict_no_state/"
	header = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
	empty  = header + "0\r\n\r\n"
	absent = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
	wrong  = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

// connection is a client: what it sent and was not answered yet, and what it was answered and has not taken yet.
type connection struct {
	in, out []byte
	got     int
	waits   bool // for room to write
}

func main() {
	port := flag.Int("port", 8080, "port on 127.0.0.1")
	flag.Parse()
	listener := listening(*port)
	poll := must(syscall.EpollCreate1(0))
	watch(poll, syscall.EPOLL_CTL_ADD, listener, syscall.EPOLLIN)
	serve(poll, listener)
}

func listening(port int) int {
	listener := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0))
	check(syscall.SetsockoptInt(listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
	check(syscall.Bind(listener, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}))
	check(syscall.Listen(listener, 1024))
	return listener
}

func serve(poll, listener int) {
	clients := map[int]*connection{}
	events := make([]syscall.EpollEvent, 256)
	for {
		count, err := syscall.EpollWait(poll, events, -1)
		if err != nil && err != syscall.EINTR {
			log.Fatal(err)
		}
		for _, event := range events[:max(count, 0)] {
			client := int(event.Fd)
			if client == listener {
				accept(poll, listener, clients)
			} else if !clients[client].turn(poll, client) {
				check(syscall.Close(client))
				delete(clients, client)
			}
		}
	}
}

func accept(poll, listener int, clients map[int]*connection) {
	client, _, err := syscall.Accept4(listener, syscall.SOCK_NONBLOCK)
	if err != nil {
		return // it went away before its turn
	}
	check(syscall.SetsockoptInt(client, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1))
	clients[client] = &connection{in: make([]byte, 64<<10)}
	watch(poll, syscall.EPOLL_CTL_ADD, client, syscall.EPOLLIN)
}

// turn reads and answers what there is; false when the connection is to be closed.
func (c *connection) turn(poll, client int) bool {
	if c.waits {
		if !c.write(poll, client) {
			return false
		}
	} else if !c.read(client) {
		return false
	}
	for len(c.out) == 0 {
		answer, took := answered(c.in[:c.got])
		if took == 0 {
			break
		}
		c.got = copy(c.in, c.in[took:c.got])
		c.out = answer
		if !c.write(poll, client) {
			return false
		}
	}
	return true
}

func (c *connection) read(client int) bool {
	if c.got == len(c.in) {
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
	count, err := syscall.Read(client, c.in[c.got:])
	if err == syscall.EAGAIN {
		return true
	}
	c.got += max(count, 0)
	return err == nil && count > 0
}

func (c *connection) write(poll, client int) bool {
	count, err := syscall.Write(client, c.out)
	if err != nil && err != syscall.EAGAIN {
		return false
	}
	c.out = c.out[max(count, 0):]
	if waits := len(c.out) > 0; waits != c.waits {
		c.waits = waits
		watch(poll, syscall.EPOLL_CTL_MOD, client, map[bool]uint32{false: syscall.EPOLLIN, true: syscall.EPOLLOUT}[waits])
	}
	return true
}

// answered is the answer to the first request, and its length; 0 while it is not there in full.
func answered(request []byte) ([]byte, int) {
	end := bytes.Index(request, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0
	}
	took := end + 4 + length(request[:end])
	if len(request) < took {
		return nil, 0
	}
	words := bytes.SplitN(request[:bytes.IndexByte(request, '\r')], []byte(" "), 3)
	switch {
	case len(words) < 3:
		return []byte(wrong), took
	case string(words[1]) == path:
		return predictions(request[end+4 : took]), took
	case string(words[1]) == path[:len("/model/")]:
		return []byte(empty), took
	}
	return []byte(absent), took
}

func length(head []byte) int {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if len(name) == len("content-length") && bytes.EqualFold(name, []byte("content-length")) {
			count, _ := strconv.Atoi(string(bytes.TrimSpace(value)))
			return count
		}
	}
	return 0
}

// predictions copies the first number of each entry of the first column.
func predictions(body []byte) []byte {
	_, column, found := bytes.Cut(body, []byte("["))
	if !found {
		return []byte(wrong)
	}
	const before, after = `{"predictions": [`, `]}`
	rows := column[:max(bytes.IndexByte(column, ']'), 0)]
	if column = bytes.TrimLeft(column, " "); len(column) > 0 && column[0] == '[' {
		rows = firsts(column)
	}
	answer := make([]byte, 0, len(header)+len(before)+len(rows)+len(after)+16)
	answer = append(answer, header...)
	answer = strconv.AppendInt(answer, int64(len(before)+len(rows)+len(after)), 10)
	answer = append(answer, "\r\n\r\n"+before...)
	answer = append(answer, rows...)
	return append(answer, after...)
}

// firsts is the first number of each list in a list of lists of numbers, joined by commas.
func firsts(lists []byte) []byte {
	var found []byte
	for {
		list, rest, closed := bytes.Cut(lists, []byte("]"))
		if !closed || len(list) == 0 {
			return found
		}
		first, _, _ := bytes.Cut(bytes.TrimLeft(list, "[, "), []byte(","))
		if len(found) > 0 {
			found = append(found, ',')
		}
		found, lists = append(found, first...), rest
	}
}

func watch(poll, how, descriptor int, events uint32) {
	check(syscall.EpollCtl(poll, how, descriptor, &syscall.EpollEvent{Events: events, Fd: int32(descriptor)}))
}

func must(descriptor int, err error) int {
	check(err)
	return descriptor
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
