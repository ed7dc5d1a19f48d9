"""Control: configuration, the running application, the command line, administration and metrics."""
