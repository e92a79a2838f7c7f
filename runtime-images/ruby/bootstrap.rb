# frozen_string_literal: true

# The Ruby runtime: starts before it belongs to a function (KAPPA_BOOT=generic), runs one invocation of its own through the same
# code to warm it, waits for the claim, and becomes that function. Without KAPPA_BOOT it has the complete environment already.
# docs/internals.md, "Agent and runtime process: pre-boot".

# What RUBYLIB names is the user's: a file json.rb there must not become the runtime's own.
users_path = ENV['RUBYLIB'].to_s.split(':').map { |folder| File.expand_path(folder) }
$LOAD_PATH.reject! { |folder| users_path.include?(folder) }
require_relative 'kappa_runtime/main'
$LOAD_PATH.unshift(*users_path)

KappaRuntime::Main.new.run
