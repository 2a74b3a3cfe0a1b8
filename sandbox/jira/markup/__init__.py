"""Rich text: wiki markup, and as HTML for the pages."""
