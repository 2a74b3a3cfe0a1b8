"""Invoices, payments and receipts of the Cedar Valley school district."""
