# frozen_string_literal: true

require 'json'
require 'logger'

module KappaRuntime
  # Log lines as Lambda writes them, on standard output.
  module Logs
    # `logger` lines with the request's id.
    class TextFormatter < Logger::Formatter
      def call(severity, time, progname, msg)
        where = "#{format_datetime(time)} ##{Process.pid}"
        "#{severity[0]}, [#{where}] #{severity.rjust(5)} #{Logs.request_id} -- #{progname}: #{Errors.text(msg2str(msg))}\n"
      end
    end

    # One object a line.
    class JsonFormatter < Logger::Formatter
      def call(severity, time, progname, msg)
        line = {
          timestamp: time.utc.strftime('%Y-%m-%dT%H:%M:%S.%6NZ'), level: severity,
          message: Errors.text(msg.is_a?(Exception) ? msg.message : msg2str(msg)), logger: progname, requestId: Logs.request_id
        }
        line.merge!(about(msg)) if msg.is_a?(Exception)
        "#{JSON.generate(line.compact)}\n"
      end

      private

      def about(error)
        trace = (error.backtrace || []).map { |frame| Errors.text(frame) }
        { errorType: error.class.to_s, errorMessage: Errors.text(error.message), stackTrace: trace }
      end
    end

    # A Logger on a standard stream that is told nothing else gets the format and the level of the environment.
    module Defaults
      def initialize(device = nil, *rest, formatter: nil, level: nil, **more)
        if device.nil? || device.equal?($stdout) || device.equal?($stderr)
          formatter ||= Logs.json? ? JsonFormatter.new : TextFormatter.new
          level ||= Logs.level
        end
        super(device, *rest, formatter: formatter, level: level || Logger::DEBUG, **more)
      end
    end

    class << self
      # Of the running invocation.
      attr_accessor :request_id

      def set_up
        self.request_id = nil
        Logger.prepend(Defaults)
      end

      # Whether the function wants JSON lines.
      def json?
        ENV['AWS_LAMBDA_LOG_FORMAT'] == 'JSON'
      end

      # The level that the function is set to; nil = all.
      def level
        name = ENV['AWS_LAMBDA_LOG_LEVEL'].to_s.sub('TRACE', 'DEBUG')
        Logger.const_get(name) if json? && %w[DEBUG INFO WARN ERROR FATAL].include?(name)
      end

      # Logs an error object, as it goes to the caller.
      def error(message, body)
        if json?
          line = { timestamp: Time.now.utc.strftime('%Y-%m-%dT%H:%M:%S.%6NZ'), level: 'ERROR', message: message, requestId: request_id }
          $stdout.write("#{JSON.generate(line.merge(body).compact)}\n")
        else
          $stdout.write("#{message}\n#{JSON.pretty_generate(body)}\n")
        end
      end
    end
  end
end
