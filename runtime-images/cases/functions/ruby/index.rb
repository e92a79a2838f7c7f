require 'tmpdir'

raise ArgumentError, 'not today' if ENV['INIT'] == 'fail'
exit!(3) if ENV['INIT'] == 'exit'

class OwnError < StandardError; end

# The cases, one method each.
module Cases
  @count = 0

  class << self
    def handler(event:, context:)
      send(event['do'], event, context)
    end

    private

    def echo(event, _context) = event

    def context(_event, context)
      {
        requestId: context.aws_request_id, functionName: context.function_name, functionVersion: context.function_version,
        memory: context.memory_limit_in_mb.to_i, arn: context.invoked_function_arn, logGroup: context.log_group_name,
        logStream: context.log_stream_name, remainingMs: context.get_remaining_time_in_millis,
        caller: context.client_context['custom']['name'], folder: Dir.pwd
      }
    end

    def environment(_event, _context) = ENV.to_h

    def throw(_event, _context)
      raise OwnError, 'on purpose: ü'
    end

    def exit(_event, _context)
      Kernel.exit!(3)
    end

    def sleep(_event, _context)
      Kernel.sleep(60)
    end

    def log(_event, _context)
      puts 'printed ü'
      warn 'to standard error'
    end

    def large(event, _context) = 'x' * (event['bytes'] - 2)

    def layer(_event, _context)
      require 'greeting'
      GREETING
    end

    def tmp(_event, _context)
      file = File.join(Dir.tmpdir, 'lines')
      File.write(file, "line\n", mode: 'a')
      File.readlines(file).size
    end

    def count(_event, _context)
      @count += 1
    end
  end
end
