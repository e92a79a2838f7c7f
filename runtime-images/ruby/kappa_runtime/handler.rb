# frozen_string_literal: true

require_relative 'errors'

module KappaRuntime
  # Finds and loads the user's handler: `FILE.METHOD` or `FILE.CLASS.METHOD`.
  #
  # See https://docs.aws.amazon.com/lambda/latest/dg/ruby-handler.html
  module Handler
    module_function

    # Something to call with event and context. What the file itself raises passes through.
    def load(name)
      file, *owner, method = name.split('.')
      raise Errors::BadHandler, "Invalid handler #{name}: it must be FILE.METHOD or FILE.CLASS.METHOD" if method.nil? || owner.size > 1

      require file
      return ->(event, context) { TOPLEVEL.__send__(method, event: event, context: context) } if owner.empty?

      ->(event, context) { Kernel.const_get(owner.first).__send__(method, event: event, context: context) }
    end

    # Has the methods that a file defines outside of any class.
    TOPLEVEL = Object.new
  end
end
