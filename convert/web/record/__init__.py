"""Recording on the page: takes by label, what is wrong with them, and trainings on them."""
