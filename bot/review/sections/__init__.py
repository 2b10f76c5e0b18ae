"""The sections of a review, one file for what belongs together. Each makes parts of a page from the record, and no form."""
