"""Of what a request to local AWS can not show."""
