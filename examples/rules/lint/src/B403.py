import pickle

