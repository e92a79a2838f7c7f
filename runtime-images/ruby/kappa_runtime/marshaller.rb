# frozen_string_literal: true

require 'json'
require 'stringio'

module KappaRuntime
  # Events and results on the wire.
  module Marshaller
    JSON_TYPE = 'application/json'

    module_function

    # The handler's event. Only JSON is decoded.
    def parse(event, content_type)
      content_type == JSON_TYPE ? JSON.parse(event) : event
    end

    # Body and content type of a result; what can be read goes out as it is.
    def dump(result)
      case result
      when StringIO, IO then [result.read, 'application/unknown']
      else [to_json(result), JSON_TYPE]
      end
    end

    def to_json(value)
      value.to_json
    end
  end
end
