// Package limits holds every fixed bound of the agent in one place.
package limits

import "time"

const (
	// PayloadBytes bounds an event and an answer: 6 MiB + 100 bytes, as Lambda's synchronous invoke.
	PayloadBytes = 6*1024*1024 + 100
	// StreamPieceBytes is how much of a streamed answer is passed on at once, at most.
	StreamPieceBytes = 32 << 10
	// StreamReadBufferBytes bounds what the kernel holds of a streamed answer before the agent reads it. It must be well above a segment of
	// the loopback, 64 KiB: with 16 KiB TCP waits for its timers after each pause (48 MiB took five minutes instead of one second).
	StreamReadBufferBytes = 256 << 10
	// CodeBytes bounds the zips of one function version, its code and its layers together.
	CodeBytes = 262144000
	// UnpackedBytes bounds the unpacked code when the gateway names no smaller bound.
	UnpackedBytes = 262144000
	// PerInstance bounds the invocations that one pod runs at once.
	PerInstance = 128
	// Layers bounds the layers of one function version.
	Layers = 5
	// OpenFiles and Processes bound the file descriptors of each process, and the processes and threads of a function, as Lambda's.
	OpenFiles = 1024
	Processes = 1024
	// CodeEntries bounds the number of files and folders in one zip.
	CodeEntries = 65535
	// CodeInMemoryBytes is the largest zip that is kept in memory instead of in a file.
	CodeInMemoryBytes = 1 << 20
	// UnauthenticatedFrameBytes bounds a frame before the gateway has proved who it is.
	UnauthenticatedFrameBytes = 16 << 10
	// Connections bounds the gateway connections of one pod.
	Connections = 64
	// StreamsPerConnection bounds the streams that are still receiving DATA on one connection.
	StreamsPerConnection = 8
	// Gateways bounds the memory of gateways' epochs.
	Gateways = 64
	// Fences bounds the memory of FENCE.
	Fences = 4096
	// FunctionKeyBytes bounds the name of a function in FENCE.
	FunctionKeyBytes = 512
	// LogTailBytes is what a caller may ask for of an invocation's log.
	LogTailBytes = 4096
	// LogLineBytes is the longest line that is written in one piece.
	LogLineBytes = 256 << 10
	// LogBurstBytes and LogBytesPerSecond bound the output of a function.
	LogBurstBytes     = 16 << 20
	LogBytesPerSecond = 1 << 20
	// LogPendingBytes bounds what waits for a slow reader of the agent's own standard output.
	LogPendingBytes = 512 << 10
	// LogEventBytes is the longest line that gateways are told; longer ones become several. With its head it fits into one frame.
	LogEventBytes = 255 << 10
	// RecentBurstBytes and RecentBytesPerSecond bound what gateways are told of a pod's log.
	RecentBurstBytes     = 256 << 10
	RecentBytesPerSecond = 64 << 10
	// RecentPendingBytes bounds what waits for a gateway that takes it.
	RecentPendingBytes = 512 << 10
	// RecentBatchBytes is how much one frame brings, more only when one line is longer.
	RecentBatchBytes = 64 << 10
	// InitErrorBytes bounds the body of init/error.
	InitErrorBytes = 1 << 20

	// Extensions bounds the extensions of one execution environment, external and internal together.
	Extensions = 10
	// ExtensionBodyBytes bounds what an extension sends in one request.
	ExtensionBodyBytes = 64 << 10

	// AuthTimeout is how long a gateway may take to prove who it is.
	AuthTimeout = 5 * time.Second
	// WriteTimeout is how long one frame may wait for a gateway that does not read.
	WriteTimeout = 10 * time.Second
	// BootTimeout bounds the start of the generic runtime until it waits for its claim.
	BootTimeout = 60 * time.Second
	// ExitGrace is how long a runtime that has reported an init error may take to exit by itself.
	ExitGrace = 200 * time.Millisecond
	// ReportGrace is how long an extension that has reported its failure may take to exit by itself: how it exits says more.
	ReportGrace = 2 * time.Second
	// BreakOffGrace is how long a runtime that has broken off a streamed answer may take to be seen dead: its exit says more.
	BreakOffGrace = 2 * time.Second
	// ShutdownInternal and ShutdownExternal are how long the end of an execution environment with extensions may take.
	ShutdownInternal = 500 * time.Millisecond
	ShutdownExternal = 2 * time.Second
	// ShutdownRuntime is how much of it the runtime may take after SIGTERM.
	ShutdownRuntime = 300 * time.Millisecond
	// ShutdownFlush is how long extensions may take, before they are told of the end, for what they have subscribed to.
	ShutdownFlush = 300 * time.Millisecond
	// KillTimeout bounds the wait for a killed process tree to disappear.
	KillTimeout = 5 * time.Second
	// RecentDelay is how long lines are collected before gateways are told.
	RecentDelay = 250 * time.Millisecond
	// RecentRetry is the pause before lines that no gateway takes are offered again.
	RecentRetry = 100 * time.Millisecond
	// RecentLastTries and RecentLastPause bound how long the end of a pod waits for a gateway that takes its last lines.
	RecentLastTries = 50
	RecentLastPause = 10 * time.Millisecond
	// FreezeDelay is how long nothing runs in a pod before the function's processes are stopped.
	FreezeDelay = 100 * time.Millisecond
	// MemorySampleInterval is the pause between two looks at a busy process tree's memory.
	MemorySampleInterval = 50 * time.Millisecond
	// FlushTimeout bounds each of the agent's last waits: for its log's reader, and for its gateways to hang up.
	FlushTimeout = time.Second
	// EndTimeout is how long the agent's own end may take before it exits without ceremony. It is more than all that an
	// end does in a row: KillTimeout twice, RecentLastTries, FlushTimeout three times, WriteTimeout.
	EndTimeout = 30 * time.Second
)
