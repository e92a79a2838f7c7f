# frozen_string_literal: true

module KappaRuntime
  # What the caller of a failed function gets.
  module Errors
    # A handler that Lambda has no name for.
    class BadHandler < ArgumentError; end

    FOLDER = "#{__dir__}/"
    TRACE_MAX = 100
    # The classes whose names the platform may know; others may say something about the user's data.
    KNOWN = %w[ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError].freeze

    module_function

    # The error object on the wire. The stack trace ends where the runtime's own code begins.
    # phase: `Function` or `Init`
    def body(error, phase)
      frames = (error.backtrace_locations || []).first(TRACE_MAX).map(&:to_s)
      frames = frames.take_while { |frame| !frame.start_with?(FOLDER) }
      { errorMessage: text(error.message), errorType: "#{phase}<#{error.class}>", stackTrace: frames }
    end

    # Value of the header Lambda-Runtime-Function-Error-Type.
    def header(error, body)
      KNOWN.include?(error.class.to_s) ? body[:errorType] : 'Function<UserException>'
    end

    # A message can be anything; JSON takes UTF-8 only.
    def text(message)
      message.to_s.dup.force_encoding(Encoding::UTF_8).scrub
    end
  end
end
