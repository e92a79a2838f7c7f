# frozen_string_literal: true

module KappaRuntime
  # The process's environment and paths.
  module Environment
    # Names with this prefix are the platform's own and never reach user code.
    PLATFORM = 'KAPPA_'
    LC_CTYPE = 0

    module_function

    # Makes ENV exactly the claim's, without the platform's own names, and its folder the current one.
    def become(claim)
      ENV.replace(claim.environment.reject { |name, _| name.start_with?(PLATFORM) })
      Dir.chdir(claim.task_root)
      $LOAD_PATH.unshift(claim.task_root) unless $LOAD_PATH.include?(claim.task_root)
      Gem.clear_paths if defined?(Gem) # folders of gems that were not there at the start
    end

    # LANG is en_US.UTF-8 for every function; where the system does not have it, Ruby takes all texts for ASCII.
    def speak_utf8
      return unless ENV['LANG'].to_s.match?(/utf-?8/i) && Encoding.find('locale') != Encoding::UTF_8

      require 'fiddle'
      set_locale = Fiddle::Function.new(Fiddle::Handle::DEFAULT['setlocale'], [Fiddle::TYPE_INT, Fiddle::TYPE_VOIDP], Fiddle::TYPE_VOIDP)
      set_locale.call(LC_CTYPE, 'C.UTF-8')
      before, $VERBOSE = $VERBOSE, nil
      Encoding.default_external = Encoding::UTF_8
      $VERBOSE = before
    end
  end
end
