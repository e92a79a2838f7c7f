# frozen_string_literal: true

require_relative 'context'
require_relative 'environment'
require_relative 'errors'
require_relative 'handler'
require_relative 'logs'
require_relative 'marshaller'
require_relative 'runtime_api'

module KappaRuntime
  # What a generic process becomes. environment is complete: nothing else may remain.
  Claim = Struct.new(:environment, :handler, :task_root)

  # The process from its start to its end.
  class Main
    def initialize
      @api = RuntimeApi.new(ENV.fetch('AWS_LAMBDA_RUNTIME_API', '127.0.0.1:9001'))
      $stdout.sync = true # the process may be killed at any time
      $stderr.sync = true
      Environment.speak_utf8
    end

    # Runs until the agent ends the process.
    def run
      claim = ENV['KAPPA_BOOT'] == 'generic' ? wait_for_claim : own_claim
      Environment.become(claim)
      Logs.set_up
      handler = load_or_exit(claim.handler)
      loop { serve(handler) }
    end

    private

    # The environment that the agent started this process with is complete.
    def own_claim
      environment = ENV.to_h
      Claim.new(environment, environment.fetch('_HANDLER', ''), environment.fetch('LAMBDA_TASK_ROOT', '/var/task'))
    end

    # Warms every step that the first real invocation takes, then waits to be claimed.
    def wait_for_claim
      serve(->(event, _context) { event })
      Errors.body(StandardError.new('rehearsal'), 'Function')
      Process.respond_to?(:warmup) ? Process.warmup : GC.start
      claim = @api.claim
      Claim.new(claim['environment'], claim['handler'], claim['taskRoot'])
    end

    # The handler; when it cannot be had, the agent is told why and the process ends.
    def load_or_exit(name)
      Handler.load(name)
    rescue Exception => e # also SystemExit: as on Lambda, a module that ends the process has failed
      body = Errors.body(e, 'Init')
      Logs.error("Init error when loading handler #{name}", body)
      @api.fail_init(Marshaller.to_json(body), Errors.header(e, body))
      exit!(1)
    end

    # Takes one invocation, runs it, answers it.
    def serve(handler)
      headers, event = @api.next
      id = headers['lambda-runtime-aws-request-id']
      Logs.request_id = id
      ENV['_X_AMZN_TRACE_ID'] = headers['lambda-runtime-trace-id']
      answer(id, headers, event, handler)
    end

    def answer(id, headers, event, handler)
      result = handler.call(Marshaller.parse(event, headers['content-type']), LambdaContext.new(headers))
      body, content_type = Marshaller.dump(result)
    rescue Exception => e # all of them are the handler's
      fail_call(id, e)
    else
      @api.respond(id, body, content_type)
    end

    # What is no StandardError (exit, no memory, stack too deep) ends the process, too.
    def fail_call(id, error)
      body = Errors.body(error, 'Function')
      Logs.error('Error raised from handler method', body)
      @api.fail(id, Marshaller.to_json(body), Errors.header(error, body))
      exit!(1) unless error.is_a?(StandardError)
    end
  end
end
