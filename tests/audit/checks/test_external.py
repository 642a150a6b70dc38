"""What may be expected at another hospital."""



LABELS = ["normal", "covid"] * 30
