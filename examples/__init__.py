"""Systems and programs that the pages show and the tests run."""
