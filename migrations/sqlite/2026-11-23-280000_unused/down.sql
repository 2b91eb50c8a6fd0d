DROP INDEX grants_ending_unused;
