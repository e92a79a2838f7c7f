# frozen_string_literal: true

require 'json'
require 'socket'

module KappaRuntime
  # The agent's Runtime API over one kept-alive connection. Own HTTP/1.1 code: net/http costs each waiting pod memory and time.
  # One request at a time; raises IOError, SystemCallError or JSON::ParserError when the agent is gone or talks nonsense.
  #
  # See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
  class RuntimeApi
    INVOCATION = '/2018-06-01/runtime/invocation'

    # address: HOST:PORT
    def initialize(address)
      @address = address
      @socket = nil
    end

    # Waits for the next invocation, without a time limit: its headers by lower-case name, and the event.
    def next
      status, headers, body = request("GET #{INVOCATION}/next", nil)
      raise IOError, "runtime API: next answered #{status}" unless status == 200

      [headers, body]
    end

    # Posts the answer. A refusal (too large, too late) is the agent's to report, so the status is not looked at.
    def respond(id, body, content_type)
      request("POST #{INVOCATION}/#{id}/response", body, "Content-Type: #{content_type}\r\n")
    end

    # Posts an error as the answer.
    def fail(id, body, type)
      request("POST #{INVOCATION}/#{id}/error", body, error_headers(type))
    end

    # Says that the handler could not be loaded.
    def fail_init(body, type)
      request('POST /2018-06-01/runtime/init/error', body, error_headers(type))
    end

    # Waits until this generic process is given a function, without a time limit.
    def claim
      status, _headers, body = request('GET /kappa/v1/claim', nil)
      raise IOError, "runtime API: claim answered #{status}" unless status == 200

      JSON.parse(body)
    end

    private

    # A header takes visible ASCII only; an error's name can be anything.
    def error_headers(type)
      "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: #{type.gsub(/[^\x20-\x7e]/, '?')[0, 256]}\r\n"
    end

    def request(line, body, headers = '')
      length = body ? "Content-Length: #{body.bytesize}\r\n" : ''
      connected.write("#{line} HTTP/1.1\r\nHost: #{@address}\r\n#{headers}#{length}\r\n", body || '')
      receive
    end

    def connected
      @socket ||= begin
        host, _, port = @address.rpartition(':')
        socket = TCPSocket.new(host, Integer(port))
        socket.binmode
        socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
        socket
      end
    end

    def receive
      status = line[%r{\AHTTP/1\.1 (\d+)}, 1] or raise IOError, 'runtime API: not an HTTP/1.1 response'
      headers = {}
      until (field = line).empty?
        name, value = field.split(':', 2)
        headers[name.downcase] = value.strip
      end
      body = headers['transfer-encoding'] == 'chunked' ? chunks : exactly(headers['content-length'].to_i)
      close if headers['connection'] == 'close'
      [status.to_i, headers, body.force_encoding(Encoding::UTF_8)]
    end

    def close
      @socket.close
      @socket = nil
    end

    def line
      text = @socket.gets("\r\n") or raise IOError, 'runtime API: connection closed'
      text.chomp("\r\n").force_encoding(Encoding::UTF_8)
    end

    def exactly(size)
      data = size.zero? ? +'' : @socket.read(size)
      raise IOError, 'runtime API: connection closed' unless data&.bytesize == size

      data
    end

    def chunks
      body = +''.b
      until (size = line.to_i(16)).zero?
        body << exactly(size)
        line
      end
      nil until line.empty? # trailers
      body
    end
  end
end
